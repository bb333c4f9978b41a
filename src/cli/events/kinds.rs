//! What kinds of events are called, for people. Settings, `--type` and machine formats have the kind's own name.

use crate::cli::words::tr;
use crate::detect::KINDS;
use smol_str::SmolStr;

/// The words of a kind; of one that we do not know, its name.
pub(super) fn word(kind: &str) -> String {
    match kind {
        "sous_tension" => tr!("undervoltage"),
        "surtension" => tr!("overvoltage"),
        "creux_tension" => tr!("voltage dip"),
        "surtension_breve" => tr!("voltage swell"),
        "coupure_phase" => tr!("phase failure"),
        "perte_neutre" => tr!("loss of neutral"),
        "desequilibre_tension" => tr!("voltage unbalance"),
        "qualite_tension" => tr!("poor voltage quality"),
        "variation_rapide_tension" => tr!("rapid voltage change"),
        "inversion_phases" => tr!("phases in wrong order"),
        "coupure" => tr!("outage"),
        "coupure_probable" => tr!("probable outage"),
        "deviation_frequence" => tr!("frequency deviation"),
        "seuil_courant" => tr!("overcurrent"),
        "desequilibre_courant" => tr!("current unbalance"),
        "pic_puissance" => tr!("power peak"),
        "puissance_souscrite_depassee" => tr!("contracted power exceeded"),
        "pointe_mensuelle" => tr!("new monthly peak"),
        "changement_sens" => tr!("change of direction"),
        "facteur_puissance_faible" => tr!("low power factor"),
        "compteur_remplace" => tr!("meter replaced"),
        "retour_a_zero" => tr!("counter rollover"),
        "compteur_recule" => tr!("counter runs backwards"),
        "index_modifie" => tr!("counter altered"),
        "saut_index" => tr!("counter jump"),
        "tarif_incoherent" => tr!("tariffs do not add up"),
        "index_fige" => tr!("counter frozen"),
        "decalage_horloge" => tr!("clock shift"),
        "changement_heure" => tr!("clock change"),
        "horloge_invalide" => tr!("invalid clock"),
        "donnees_manquantes" => tr!("missing data"),
        "communication_perdue" => tr!("communication lost"),
        "communication_retablie" => tr!("communication restored"),
        "trames_erronees" => tr!("damaged telegrams"),
        "dechiffrement_impossible" => tr!("decryption failed"),
        "sequence_rejouee" => tr!("replayed sequence"),
        "donnees_corrompues" => tr!("damaged data"),
        "espace_disque" => tr!("disk space low"),
        "erreur_compteur" => tr!("meter error"),
        "erreur_mesure" => tr!("measurement error"),
        "mesure_perturbee" => tr!("disturbed measurement"),
        "pile_faible" => tr!("battery low"),
        "couvercle_ouvert" => tr!("cover opened"),
        "couvercle_ferme" => tr!("cover closed"),
        "champ_magnetique" => tr!("magnetic field"),
        "fraude_suspectee" => tr!("suspected fraud"),
        "acces_refuse" => tr!("access denied"),
        "acces_local" => tr!("local access"),
        "journal_efface" => tr!("log cleared"),
        "registre_efface" => tr!("register cleared"),
        "parametres_modifies" => tr!("parameters changed"),
        "cle_modifiee" => tr!("key changed"),
        "logiciel_modifie" => tr!("firmware changed"),
        "tarif_modifie" => tr!("tariff table changed"),
        "changement_tarif" => tr!("tariff switch"),
        "remise_a_zero_max" => tr!("maximum reset"),
        "disjoncteur" => tr!("breaker"),
        "limiteur" => tr!("limiter"),
        "courant_interrompu" => tr!("current circuit open"),
        "information_compteur" => tr!("meter information"),
        "communication_compteur" => tr!("meter communication"),
        "message_gestionnaire" => tr!("message of the grid operator"),
        "sous_compteur_nouveau" => tr!("new sub-meter"),
        "sous_compteur_communication" => tr!("sub-meter communication"),
        "sous_compteur_pile" => tr!("sub-meter battery"),
        "sous_compteur_fraude" => tr!("sub-meter fraud"),
        "sous_compteur_horloge" => tr!("sub-meter clock"),
        "sous_compteur_erreur" => tr!("sub-meter error"),
        "evenement_compteur" => tr!("meter event"),
        "note" => tr!("note"),
        other => other.to_owned(),
    }
}

/// The kind that is meant by its name, or by its words as the table shows them.
pub(super) fn meant(given: &str, known: &[SmolStr]) -> SmolStr {
    if known.iter().any(|known| known == given) {
        return given.into();
    }
    let by_words = KINDS.iter().find(|kind| word(kind.name).to_lowercase() == given.to_lowercase());
    by_words.map_or_else(|| given.into(), |kind| SmolStr::new_static(kind.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_has_words_of_its_own() {
        let words: BTreeSet<String> = KINDS.iter().map(|kind| word(kind.name)).collect();
        assert_eq!(words.len(), KINDS.len());
        for kind in KINDS {
            assert!(kind.name == "note" || word(kind.name) != kind.name, "{} has no words", kind.name);
            assert_eq!(meant(&word(kind.name).to_uppercase(), &[]), kind.name);
        }
        assert_eq!(word("panne_secteur"), "panne_secteur");
        assert_eq!(meant("panne_secteur", &[]), "panne_secteur");
        // Somebody's own kind comes first.
        assert_eq!((meant("outage", &[]), meant("outage", &["outage".into()])), ("coupure".into(), "outage".into()));
    }
}
