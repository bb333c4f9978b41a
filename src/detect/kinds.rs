//! The kinds of events there are, with the words that the page shows.

/// A kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventKind {
    /// Its name in the contract.
    pub name: &'static str,
    /// What it is called, in French.
    pub title: &'static str,
}

/// The title of a kind; its name where it is not known.
#[must_use]
pub fn title(kind: &str) -> &str {
    KINDS.iter().find(|known| known.name == kind).map_or(kind, |known| known.title)
}

const fn k(name: &'static str, title: &'static str) -> EventKind {
    EventKind { name, title }
}

/// Every kind that a detector makes, a meter's log holds, or a person says.
pub const KINDS: &[EventKind] = &[
    k("sous_tension", "Sous-tension"),
    k("surtension", "Surtension"),
    k("creux_tension", "Creux de tension"),
    k("surtension_breve", "Surtension brève"),
    k("coupure_phase", "Coupure de phase"),
    k("perte_neutre", "Perte du neutre"),
    k("desequilibre_tension", "Déséquilibre de tension"),
    k("qualite_tension", "Qualité de la tension insuffisante"),
    k("variation_rapide_tension", "Variation rapide de tension"),
    k("inversion_phases", "Inversion de l'ordre des phases"),
    k("coupure", "Coupure"),
    k("coupure_probable", "Coupure probable"),
    k("deviation_frequence", "Déviation de fréquence"),
    k("seuil_courant", "Courant au-dessus du calibre"),
    k("desequilibre_courant", "Déséquilibre de courant"),
    k("pic_puissance", "Pic de puissance"),
    k("puissance_souscrite_depassee", "Puissance souscrite dépassée"),
    k("pointe_mensuelle", "Nouvelle pointe mensuelle"),
    k("changement_sens", "Changement de sens de l'énergie"),
    k("facteur_puissance_faible", "Facteur de puissance faible"),
    k("compteur_remplace", "Compteur remplacé"),
    k("retour_a_zero", "Retour à zéro de l'index"),
    k("compteur_recule", "Index en recul"),
    k("index_modifie", "Index modifié"),
    k("saut_index", "Saut d'index"),
    k("tarif_incoherent", "Tarifs incohérents avec le total"),
    k("index_fige", "Index figé"),
    k("decalage_horloge", "Décalage d'horloge"),
    k("changement_heure", "Changement d'heure"),
    k("horloge_invalide", "Horloge du compteur invalide"),
    k("donnees_manquantes", "Données manquantes"),
    k("communication_perdue", "Communication perdue"),
    k("communication_retablie", "Communication rétablie"),
    k("trames_erronees", "Trames erronées"),
    k("dechiffrement_impossible", "Déchiffrement impossible"),
    k("sequence_rejouee", "Séquence rejouée"),
    k("donnees_corrompues", "Données corrompues"),
    k("espace_disque", "Espace disque insuffisant"),
    k("erreur_compteur", "Erreur du compteur"),
    k("erreur_mesure", "Erreur de mesure"),
    k("mesure_perturbee", "Mesure perturbée"),
    k("pile_faible", "Pile faible"),
    k("couvercle_ouvert", "Couvercle ouvert"),
    k("couvercle_ferme", "Couvercle fermé"),
    k("champ_magnetique", "Champ magnétique"),
    k("fraude_suspectee", "Fraude suspectée"),
    k("acces_refuse", "Accès refusé"),
    k("acces_local", "Accès local"),
    k("journal_efface", "Journal effacé"),
    k("registre_efface", "Registre effacé"),
    k("parametres_modifies", "Paramètres modifiés"),
    k("cle_modifiee", "Clé modifiée"),
    k("logiciel_modifie", "Logiciel modifié"),
    k("tarif_modifie", "Tarif modifié"),
    k("changement_tarif", "Changement de tarif"),
    k("remise_a_zero_max", "Remise à zéro du maximum"),
    k("disjoncteur", "Disjoncteur"),
    k("limiteur", "Limiteur"),
    k("courant_interrompu", "Circuit de courant interrompu"),
    k("information_compteur", "Information du compteur"),
    k("communication_compteur", "Communication du compteur"),
    k("message_gestionnaire", "Message du gestionnaire de réseau"),
    k("sous_compteur_nouveau", "Nouveau sous-compteur"),
    k("sous_compteur_communication", "Communication du sous-compteur"),
    k("sous_compteur_pile", "Pile du sous-compteur"),
    k("sous_compteur_fraude", "Fraude au sous-compteur"),
    k("sous_compteur_horloge", "Horloge du sous-compteur"),
    k("sous_compteur_erreur", "Erreur du sous-compteur"),
    k("evenement_compteur", "Événement du compteur"),
    k("note", "Note"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Rules;

    #[test]
    fn every_rule_has_a_title_and_every_name_the_form_of_the_contract() {
        for rule in Rules::default().all() {
            assert_ne!(title(rule.kind), rule.kind);
        }
        for (at, kind) in KINDS.iter().enumerate() {
            assert!(kind.name.len() <= 50 && kind.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            assert!(KINDS.iter().skip(at + 1).all(|other| other.name != kind.name), "{} twice", kind.name);
        }
    }
}
