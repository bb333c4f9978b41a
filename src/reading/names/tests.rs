use super::*;

fn names(code: &str) -> [String; 3] {
    let code = Code::parse(code.as_bytes());
    Language::ALL.map(|language| describe(&code, language).map_or_else(|| "?".into(), Cow::into_owned))
}

#[track_caller]
fn check(code: &str, english: &str, french: &str, german: &str) {
    assert_eq!(names(code), [english, french, german], "{code}");
}

/// The code, unit and name of what a search finds.
fn found(text: &str, language: Language) -> Vec<String> {
    let line = |n: Named| format!("{} {} {}", n.code, n.unit.unwrap_or("-"), n.name);
    search(text, language).into_iter().map(line).collect()
}

fn codes(text: &str, language: Language) -> Vec<String> {
    search(text, language).into_iter().map(|named| named.code.to_string()).collect()
}

#[test]
fn energies_with_tariffs_phases_and_stored_values() {
    check(
        "1.8.0",
        "Active energy import (+A) total",
        "Énergie active importée (+A), total",
        "Wirkenergie Bezug (+A) gesamt",
    );
    check(
        "1-1:2.8.2",
        "Active energy export (-A) tariff 2",
        "Énergie active exportée (-A), tarif 2",
        "Wirkenergie Lieferung (-A) Tarif 2",
    );
    check("41.8.0", "Active energy import (+A) L2", "Énergie active importée (+A) L2", "Wirkenergie Bezug (+A) L2");
    check(
        "1.8.1&12",
        "Active energy import (+A) tariff 1, stored value 12",
        "Énergie active importée (+A), tarif 1, index mémorisé 12",
        "Wirkenergie Bezug (+A) Tarif 1, Vorwert 12",
    );
    check(
        "1.8.0*97",
        "Active energy import (+A), last 7 days",
        "Énergie active importée (+A), consommation des 7 derniers jours",
        "Wirkenergie Bezug (+A), Verbrauch letzte 7 Tage",
    );
    check(
        "5.8.0",
        "Reactive energy quadrant I (+Ri) total",
        "Énergie réactive quadrant I (+Ri), total",
        "Blindenergie Quadrant I (+Ri) gesamt",
    );
    check(
        "1.9.0",
        "Active energy import (+A), since the start of the billing period",
        "Énergie active importée (+A), depuis le début de la période de facturation",
        "Wirkenergie Bezug (+A), seit Periodenbeginn (Vorschub)",
    );
}

#[test]
fn powers_and_the_network() {
    check(
        "16.7.0",
        "Active power net (signed)",
        "Puissance active nette (signée)",
        "Wirkleistung saldiert (mit Vorzeichen)",
    );
    check("1-0:1.7.255*255", "Active power import (+P)", "Puissance active importée (+P)", "Wirkleistung Bezug (+P)");
    check("52.7.0", "Voltage L2", "Tension L2", "Spannung L2");
    check("51.7.5", "Current L2, harmonic 5", "Courant L2, harmonique 5", "Strom L2, Oberschwingung 5");
    check("12.7.0", "Voltage (single-phase)", "Tension (monophasé)", "Spannung (einphasig)");
    check("33.7.0", "Power factor L1", "Facteur de puissance L1", "Leistungsfaktor L1");
    check("124.7.0", "Line voltage L1-L2", "Tension composée L1-L2", "Außenleiterspannung L1-L2");
    check("103.7.0", "Reactive power, inductive L3", "Puissance réactive inductive L3", "Blindleistung, induktiv L3");
}

#[test]
fn averages_and_maxima() {
    check(
        "1.6.2*05",
        "Active power import (+P), maximum demand of the period, tariff 2, stored value 5",
        "Puissance active importée (+P), puissance maximale de la période, tarif 2, valeur mémorisée 5",
        "Wirkleistung Bezug (+P), Leistungsmaximum der Periode, Tarif 2, Vorwert 5",
    );
    check(
        "1.4.0",
        "Active power import (+P), running average demand",
        "Puissance active importée (+P), puissance moyenne en cours",
        "Wirkleistung Bezug (+P), laufende Mittelwertleistung",
    );
    check(
        "32.24.0",
        "Voltage L1, running average, scheme 3",
        "Tension L1, moyenne en cours, schéma 3",
        "Spannung L1, laufender Mittelwert, Schema 3",
    );
}

#[test]
fn angles_are_named_by_their_two_ends() {
    check(
        "81.7.1",
        "Phase angle U(L2) against U(L1)",
        "Déphasage U(L2) par rapport à U(L1)",
        "Phasenwinkel U(L2) gegen U(L1)",
    );
    assert_eq!(names("81.7.4")[0], "Phase angle U(L1) against I(L1)");
    assert_eq!(names("81.7.26")[0], "Phase angle U(L3) against I(L3)");
    assert_eq!(names("81.7.51")[0], "Phase angle I(L2) against U(L2)");
    assert_eq!(names("81.7.3")[0], "?");
}

#[test]
fn sags_and_swells() {
    check("72.32.0", "Number of voltage sags L3", "Nombre de creux de tension L3", "Anzahl Spannungseinbrüche L3");
    assert_eq!(names("0-0:32.32.0"), names("1-0:32.32.0"), "Luxembourg prints the former");
    check(
        "12.44.0",
        "Time threshold for voltage swells",
        "Seuil de durée des surtensions brèves",
        "Zeitschwelle für Spannungsüberhöhungen",
    );
}

#[test]
fn letters_channels_and_either_home_of_a_service_code() {
    check("C.1.0", "Serial number of the maker", "Numéro de série du fabricant", "Herstellernummer");
    assert_eq!(names("C.7.1"), names("0-0:96.7.1"));
    assert_eq!(names("1-0:97.97.0"), names("F.F"));
    assert_eq!(names("P.98")[0], "Event log, standard");
    assert_eq!(names("P.01")[0], "Load profile 1 (15 min)");
    assert_eq!(names("L.1")[0], "Billing profile");
    assert_eq!(names("0-0:0.9.1"), names("0.9.1"));
    assert_eq!(names("0.0.8")[1], "Numéro d'identification 9");
    assert_eq!(names("0.1.2*03")[2], "Ende der Abrechnungsperiode, Vorwert 3");
    check(
        "0-2:24.2.1",
        "M-Bus meter reading, channel 2",
        "Index du compteur M-Bus, canal 2",
        "M-Bus-Zählerstand, Kanal 2",
    );
    assert_eq!(names("0-11:25.9.0")[0], "Push setup 11");
    assert_eq!(names("129-129:199.130.3")[0], "Maker");
    assert_eq!(names("1-1:0.2.129")[0], "OBIS list version");
}

#[test]
fn unknown_codes_have_no_name() {
    for code in ["FF", "1-0:240.0.0", "1.8.200", "16.7.1", "96.200.7", "0-3:97.97.0", "96.1.20", "83.8.0", ""] {
        assert_eq!(names(code)[0], "?", "{code}");
    }
}

#[test]
fn kinds() {
    let kind = |code: &str| kind_of(&Code::parse(code.as_bytes()));
    assert_eq!(kind("1.8.0"), Some(Kind::Counter));
    assert_eq!(kind("1.8.0*3"), Some(Kind::Counter));
    assert_eq!(kind("1.8.0*96"), Some(Kind::Instant));
    assert_eq!(kind("16.7.0"), Some(Kind::Instant));
    assert_eq!(kind("31.4.0"), Some(Kind::Average));
    assert_eq!(kind("1.6.1"), Some(Kind::Maximum));
    assert_eq!(kind("32.32.0"), Some(Kind::Count));
    assert_eq!(kind("F.F"), Some(Kind::Bits));
    assert_eq!(kind("0.9.2"), Some(Kind::Date));
    assert_eq!(kind("P.01"), Some(Kind::List));
    assert_eq!(kind("hello"), None);
}

#[test]
fn every_row_is_complete_and_reached_by_its_own_code() {
    for row in ROWS {
        for language in Language::ALL {
            let name = row.name.get(language);
            assert!(!name.trim().is_empty(), "{}", row.code);
            let letters = row.code.0.iter().filter(|group| matches!(group, Group::Any(_))).count();
            assert!(letters == 1 || !name.contains('{'), "{}: nothing to fill in", row.code);
        }
        // A number that no row of its own takes.
        let obis = Obis::from_octets(row.code.0.map(|group| match group {
            Group::Is(number) => number,
            Group::Any(_) => 9,
        }));
        let Some(Entry::Listed { row: reached, .. }) = Entry::of(obis) else { panic!("{obis}") };
        assert_eq!(reached.code.to_string(), row.code.to_string(), "{obis}");
    }
}

#[test]
fn units_are_ones_we_know() {
    for named in search("", Language::English) {
        if let Some(unit) = named.unit {
            let known = Unit::parse(unit).unwrap_or_else(|| panic!("{unit} of {}", named.code));
            assert_eq!((known.normal().0, known.normal().1), (known, 0), "{}", named.code);
        }
    }
}

/// Every code of the specification's tables, with an example for each letter and range.
#[test]
fn every_code_our_users_meet_has_a_name_in_every_language() {
    let energy = "1.8.0 1.8.1 1.8.4 2.8.0 2.8.1 3.8.0 3.8.1 4.8.0 4.8.2 5.8.0 6.8.0 7.8.0 8.8.0 9.8.0 10.8.0 15.8.0 \
        16.8.0 21.8.0 41.8.0 61.8.0 22.8.0 42.8.0 62.8.0 1.9.0 2.9.0 1.29.0 2.29.0 1.8.0*1 1.8.0&01 1.8.0*96 1.8.0*97 \
        1.8.0*98 1.8.0*99 1.8.0*100 1-1:1.8.0 82.8.1 88.8.0 89.8.0 1.128.0 17.8.0 37.8.0 57.8.0 80.8.0";
    let power = "16.7.0 15.7.0 1.7.0 2.7.0 21.7.0 41.7.0 61.7.0 22.7.0 42.7.0 62.7.0 36.7.0 56.7.0 76.7.0 3.7.0 4.7.0 \
        23.7.0 43.7.0 63.7.0 24.7.0 44.7.0 64.7.0 9.7.0 10.7.0 29.7.0 49.7.0 69.7.0 32.7.0 52.7.0 72.7.0 31.7.0 51.7.0 \
        71.7.0 91.7.0 92.7.0 90.7.0 12.7.0 11.7.0 124.7.0 125.7.0 126.7.0 14.7.0 34.7.0 54.7.0 74.7.0 13.7.0 33.7.0 \
        53.7.0 73.7.0 84.7.0 85.7.0 87.7.0 100.7.0 104.7.0 107.7.0 81.7.1 81.7.2 81.7.4 81.7.15 81.7.26 81.7.40 81.7.51 \
        81.7.62 1.4.0 2.4.0 1.5.0 2.5.0 1.6.0 1.6.1 2.6.0 1.2.0 1.24.0 12.24.0 32.24.0 52.24.0 72.24.0 31.4.0 51.4.0 \
        71.4.0 5.7.0 8.7.0 1.7.255";
    let identity = "0.0.0 0.0.1 0.0.9 0-0:96.1.0 C.1.0 0-0:96.1.1 C.1.1 96.1.2 96.1.4 0-0:96.1.7 0-0:42.0.0 \
        0-0:96.1.255 1-0:96.1.0 96.50.1*1 129-129:199.130.3 129-129:199.130.5 1-0:0.2.0 0-0:96.1.5 1-0:0.2.8 1-3:0.2.8 \
        1-1:0.2.129 1-1:0.0.5 0-0:1.0.0 0.9.1 0.9.2 0.9.5 0.9.6 0.9.7 0.1.0 0.1.1 0.1.2*3 0.2.2 0.3.0 0.3.3 0.4.2 0.4.3 \
        0.4.5 0.4.6 0.6.0 0.6.1 0.6.2 0.6.3 0.6.4 0.8.0 0.8.4 0-0:96.14.0 0-0:96.13.0 0-0:96.13.1 F.F F.F.0 \
        0-0:97.97.0 0-0:97.98.0 0-0:97.98.1 0-0:97.98.10 0-0:97.98.11 0-0:97.98.20 0-0:97.98.21 96.5.0 C.5.0 1-0:96.5.5 \
        96.5.1 96.5.4 0-0:96.3.10 0-0:17.0.0 C.2.0 C.2.1 C.6.0 C.6.3 C.8.0 96.8.0 1-1:96.1.1";
    let quality = "0-0:96.7.0 C.7.0 C.7.1 C.7.2 C.7.3 0-0:96.7.21 0-0:96.7.5 0-0:96.7.6 0-0:96.7.7 0-0:96.7.8 0-0:96.7.9 \
        0-0:96.7.10 0-0:96.7.11 0-0:96.7.12 0-0:96.7.13 0-0:96.7.14 0-0:96.7.15 0-0:96.7.16 0-0:96.7.17 0-0:96.7.18 \
        0-0:96.7.19 0-0:96.7.20 32.32.0 52.32.0 72.32.0 32.33.0 32.34.0 32.36.0 52.36.0 72.36.0 32.37.0 32.38.0 \
        12.31.0 12.31.1 12.35.0 12.39.0 12.43.0 12.44.0 12.45.0 1-0:99.97.0 0-0:99.98.0 0-0:99.98.7 0-0:96.11.0 \
        0-0:96.11.20 0-0:96.11.21 1-0:99.1.0 1-0:99.2.0 P.01 P.02 P.98 P.99 L.98 0-0:98.1.0 0-0:96.10.1 0-0:96.10.2 \
        0-0:96.10.3 0-0:25.9.0 0-8:25.9.0 0-9:25.9.0 0-11:25.9.0 1-0:0.9.11 1-0:99.133.0 C.11.0";
    let media = "0-1:24.1.0 0-4:96.1.0 0-1:96.1.1 0-1:96.1.2 0-1:24.2.1 0-1:24.2.3 0-1:24.3.0 0-1:24.4.0 0-1:96.3.10 \
        7-0:3.0.0 7-0:13.23.0 7-1:3.0.0 8-0:1.0.0 9-0:1.0.0 6-0:1.0.0 6-0:2.0.0 6-0:8.0.0 6-0:9.0.0 6-0:10.0.0 6-0:11.0.0 \
        6-0:12.0.0";
    for code in [energy, power, identity, quality, media].iter().flat_map(|codes| codes.split_whitespace()) {
        for name in names(code) {
            assert!(name != "?" && !name.contains(['{', '}']), "{code}: {name}");
        }
        assert!(kind_of(&Code::parse(code.as_bytes())).is_some(), "{code}");
    }
}

#[test]
fn a_search_for_a_code_takes_its_beginning() {
    assert_eq!(codes("2.8", Language::English), ["1-0:2.8.0", "1-0:2.8.0*F", "1-0:2.8.n"], "and not 22.8 or 1-0:2.80");
    assert_eq!(found("1-0:16.7.0", Language::English), ["1-0:16.7.0 W Active power net (signed)"]);
    assert_eq!(codes("c.1", Language::English), codes("96.1", Language::English));
    assert_eq!(codes("f.f", Language::English), ["0-0:97.97.0", "0-0:97.97.n"]);
    assert_eq!(codes("P.01", Language::English), ["1-0:99.1.0"]);
    assert_eq!(codes("0-0:97.98.", Language::English).len(), 6);
}

#[test]
fn a_search_fills_in_the_letters_it_gives() {
    assert_eq!(found("1.8.3", Language::French), ["1-0:1.8.3 kWh Énergie active importée (+A), tarif 3"]);
    assert_eq!(found("2.8.0*5", Language::German), ["1-0:2.8.0*5 kWh Wirkenergie Lieferung (-A) gesamt, Vorwert 5"]);
    assert_eq!(found("0-2:24.2.1", Language::English), ["0-2:24.2.1 - M-Bus meter reading, channel 2"]);
    assert_eq!(
        codes("0-3:24", Language::English),
        ["0-3:24.1.0", "0-3:24.2.1", "0-3:24.2.3", "0-3:24.3.0", "0-3:24.4.0"]
    );
    assert_eq!(found("99.98.1", Language::English), ["0-0:99.98.1 - Event log, fraud"]);
}

#[test]
fn a_search_finds_codes_that_are_not_listed() {
    assert_eq!(found("67.8.1", Language::English), ["1-0:67.8.1 kvarh Reactive energy quadrant III (-Ri) L3 tariff 1"]);
    assert_eq!(found("1-1:1.7.0", Language::English), ["1-1:1.7.0 W Active power import (+P)"]);
    assert!(search("240.1.2", Language::English).is_empty());
}

#[test]
fn a_search_for_words_ignores_case_and_accents() {
    let french = codes("ENERGIE importee", Language::French);
    assert!(french.contains(&"1-0:1.8.0".into()) && french.contains(&"1-0:21.8.0".into()), "{french:?}");
    assert!(!french.contains(&"1-0:2.8.0".into()));
    assert_eq!(codes("déphasage", Language::French), codes("dephasage", Language::French));
    assert_eq!(codes("überhöhungen L2", Language::German), ["1-0:52.36.0"]);
    assert_eq!(codes("aussenleiter", Language::German).len(), 3);
    assert_eq!(
        codes("frequency hz", Language::English),
        ["1-0:0.6.2", "1-0:14.7.0", "1-0:34.7.0", "1-0:54.7.0", "1-0:74.7.0"]
    );
    assert!(codes("energie", Language::English).is_empty());
}

#[test]
fn an_empty_search_lists_everything_once_in_code_order() {
    let all = search("", Language::English);
    assert!(all.len() > 250, "{}", all.len());
    let position = |code: &str| all.iter().position(|named| named.code == code).unwrap();
    assert!(position("0-0:1.0.0") < position("1-0:1.8.0"));
    assert!(position("1-0:1.8.0") < position("1-0:1.8.0*96"));
    assert!(position("1-0:1.8.0*F") < position("1-0:1.8.n"));
    assert!(position("1-0:2.8.0") < position("1-0:16.7.0"));
    assert!(position("1-0:126.7.0") < position("7-0:3.0.0"));
    let mut codes: Vec<_> = all.iter().map(|named| &named.code).collect();
    codes.sort();
    codes.dedup();
    assert_eq!(codes.len(), all.len());
}

#[test]
fn the_columns_registers_are_marked_in_the_catalogue() {
    let marked: Vec<_> = search("", Language::English).into_iter().filter_map(|named| named.column).collect();
    assert_eq!(marked.len(), crate::reading::Column::ALL.len());
}

#[test]
fn languages_by_letters_and_locale() {
    assert_eq!("fr".parse(), Ok(Language::French));
    assert_eq!("it".parse::<Language>(), Err(LanguageError));
    assert_eq!(Language::from_locale("fr_CH.UTF-8"), Some(Language::French));
    assert_eq!(Language::from_locale("de-AT"), Some(Language::German));
    assert_eq!(Language::from_locale("en"), Some(Language::English));
    assert_eq!(Language::from_locale("C.UTF-8"), None);
    assert_eq!(Language::from_locale(""), None);
}

proptest::proptest! {
    #[test]
    fn nothing_panics(octets: [u8; 6], text: String) {
        let _ = names(&Obis::from_octets(octets).to_string());
        let _ = search(&text, Language::French);
    }
}

#[test]
fn a_register_whose_unit_contradicts_its_code_has_no_name() {
    let named = |code: &str, unit: &str| {
        let number = crate::reading::Decimal::from(1);
        let register = Register::number(Code::parse(code.as_bytes()), number, Unit::parse(unit));
        describe_register(&register, Language::English).is_some()
    };
    for (code, unit) in
        [("1.8.0", "kWh"), ("1.8.0", "Wh"), ("6.8", "kvarh"), ("6.8", ""), ("32.7.0", "mV"), ("0-1:24.2.1", "GJ")]
    {
        assert!(named(code, unit), "{code} {unit}");
    }
    for (code, unit) in [("6.8", "MWh"), ("6.26", "m3"), ("6.31", "h"), ("9.4", "bar")] {
        assert!(!named(code, unit), "{code} {unit}");
    }
}
