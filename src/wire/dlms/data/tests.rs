use super::*;
use crate::wire::dlms::examples::bytes;
use proptest::prelude::*;

fn tree(bytes: &[u8]) -> Tree<'_> {
    let (tree, end) = Tree::parse(bytes, 0).unwrap();
    assert_eq!(end, bytes.len());
    tree
}

#[test]
fn integers_keep_their_sign_and_width() {
    for (hex, number) in [
        ("06 00 00 32 89", 12_937),
        ("06 FF FF FF FF", 4_294_967_295),
        ("05 FF FF FF FF", -1),
        ("12 09 29", 2345),
        ("10 FF FE", -2),
        ("0F FF", -1),
        ("11 FF", 255),
        ("16 1E", 30),
        ("0D 42", 42),
        ("14 FF FF FF FF FF FF FF FF", -1),
        ("15 00 00 00 00 00 27 C9 17", 2_607_383),
    ] {
        assert_eq!(tree(&bytes(hex)).root().integer(), Some(number), "{hex}");
    }
    let large = bytes("15 FF FF FF FF FF FF FF FF");
    assert_eq!(tree(&large).root().integer(), None);
    assert_eq!(tree(&large).root().float_text().unwrap(), "18446744073709551615");
}

#[test]
fn floats_become_their_shortest_decimals() {
    for (hex, digits) in [("17 43 69 80 00", "233.5"), ("17 3D CC CC CD", "0.1"), ("18 3F B9 99 99 99 99 99 9A", "0.1")]
    {
        assert_eq!(tree(&bytes(hex)).root().number().unwrap().to_string(), digits);
    }
    assert_eq!(tree(&bytes("17 7F C0 00 00")).root().number(), None);
}

#[test]
fn a_compact_array_is_an_array_of_structures() {
    let input = bytes("13 02 02 12 11 06 00 E7 01 00 E8 02");
    let tree = tree(&input);
    let rows: Vec<Vec<i64>> =
        tree.root().elements().map(|row| row.elements().filter_map(Item::integer).collect()).collect();
    assert_eq!(rows, [[231, 1], [232, 2]]);
}

#[test]
fn compact_arrays_hold_strings_and_arrays_too() {
    let input = bytes("13 02 02 09 01 00 02 11 0A 02 41 42 01 02 01 43 03 04 00");
    // The last element breaks off: its string is empty and its array missing.
    assert!(Tree::parse(&input, 0).is_err());
    let input = bytes("13 02 02 09 01 00 02 11 09 02 41 42 01 02 01 43 03 04");
    let tree = tree(&input);
    assert_eq!(tree.root().count(), 2);
    let texts: Vec<_> = tree.root().elements().filter_map(|e| e.elements().next()?.text()).collect();
    assert_eq!(texts, ["AB", "C"]);
    assert!(Tree::parse(&bytes("13 00 02 00 00"), 0).is_err());
}

#[test]
fn entries_of_a_push_object_list_are_laid_down_like_any_structure() {
    let entry = bytes("02 04 12 00 03 09 06 01 00 01 07 00 FF 0F 02 12 00 00");
    // With an index of one octet the short way does not apply.
    let other = bytes("02 04 12 00 03 09 06 01 00 01 07 00 FF 0F 02 11 00");
    let values = |input: &[u8]| {
        let input = [&[1, 2], input, input].concat();
        let tree = tree(&input);
        let values = tree.all().map(|(item, depth)| (item.tag(), item.content().to_vec(), item.count(), depth));
        let mut values: Vec<_> = values.collect();
        assert_eq!(tree.root().elements().map(Item::count).collect::<Vec<_>>(), [4, 4]);
        // The index is what differs.
        values.retain(|(_, content, ..)| content.iter().any(|&octet| octet != 0) || content.is_empty());
        (values, tree.nodes.len())
    };
    let ((short, nodes), (long, more)) = (values(&entry), values(&other));
    assert_eq!(short, long);
    assert_eq!((nodes, more), (3, 11));
    let input = [&[1, 1], &entry[..]].concat();
    let tree = tree(&input);
    let item = tree.root().elements().next().unwrap();
    assert_eq!(item.descriptor(), Some((3, [1, 0, 1, 7, 0, 255], 2)));
    assert_eq!(item.elements().nth(1).unwrap().obis(), Some([1, 0, 1, 7, 0, 255]));
    assert_eq!(item.elements().map(Item::at).collect::<Vec<_>>(), [4, 7, 15, 17]);
}

#[test]
fn elements_step_over_what_is_inside() {
    let input = bytes("02 03 01 02 02 01 12 00 01 02 01 12 00 02 09 01 41 16 1B");
    let tree = tree(&input);
    let tags: Vec<u8> = tree.root().elements().map(Item::tag).collect();
    assert_eq!(tags, [tag::ARRAY, tag::OCTETS, tag::ENUM]);
    let depths: Vec<usize> = tree.all().map(|(_, depth)| depth).collect();
    assert_eq!(depths, [0, 1, 2, 3, 2, 3, 1, 1]);
}

#[test]
fn lengths_are_checked_before_anything_is_kept() {
    assert_eq!(Tree::parse(&bytes("09 82 FF FF 00"), 0).unwrap_err(), Fail::Short { need: 4 + 0xFFFF });
    assert!(matches!(Tree::parse(&bytes("09 84 FF FF FF FF"), 0), Err(Fail::Wrong { .. })));
    assert!(matches!(Tree::parse(&bytes("01 84 7F FF FF FF"), 0), Err(Fail::Wrong { .. })));
    assert!(matches!(Tree::parse(&[2, 1].repeat(40), 0), Err(Fail::Wrong { at: 32, .. })));
    assert!(matches!(Tree::parse(&[0x08], 0), Err(Fail::Wrong { at: 0, .. })));
}

#[test]
fn times() {
    let check = |hex: &str, offset, doubtful, text: &str| {
        let time = date_time(&bytes(hex)).unwrap();
        assert_eq!((time.offset, time.doubtful, time.civil.to_string().as_str()), (offset, doubtful, text), "{hex}");
    };
    // Netz NÖ, brochure 218_9.
    check("07E5091B01092F0F00FF8880", Offset::Minutes(120), false, "2021-09-27T09:47:15");
    check("07E90B07050E1E00FF800000", Offset::Unknown, false, "2025-11-07T14:30:00");
    check("07E90707050E1E00FF800081", Offset::Summer, true, "2025-07-07T14:30:00");
    check("07E90707050E1E00FF8000FF", Offset::Unknown, false, "2025-07-07T14:30:00");
    check("07E90707050E1E0032000002", Offset::Minutes(0), true, "2025-07-07T14:30:00.5");
    for hex in ["FFFFFFFFFFFFFFFFFF8000FF", "07E9FFFFFF0E1E00FF800000", "07E90B0705FF1E00FF800000", "07E9"] {
        assert_eq!(date_time(&bytes(hex)), None, "{hex}");
    }
}

proptest! {
    #[test]
    fn any_bytes(input in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok((tree, end)) = Tree::parse(&input, 0) {
            prop_assert!(end <= input.len());
            for (item, _) in tree.all() {
                let _ = (item.number(), item.text(), item.time(), item.scaler_unit(), item.elements().count());
            }
        }
    }

    #[test]
    fn values_of_small_tags(input in proptest::collection::vec(prop_oneof![0u8..0x1C, Just(2), any::<u8>()], 0..200)) {
        match Tree::parse(&input, 0) {
            Ok((tree, end)) => prop_assert!(end <= input.len() && tree.all().count() >= 1),
            Err(Fail::Short { need }) => prop_assert!(need > input.len()),
            Err(Fail::Wrong { at, .. }) => prop_assert!(at <= input.len()),
        }
    }
}

/// What was sent, built again from what comes.
fn read_back(item: Item<'_, '_>) -> Data {
    let content = item.content();
    let number = || item.integer().unwrap();
    match item.tag() {
        tag::NULL => Data::Null,
        tag::ARRAY => Data::Array(item.elements().map(read_back).collect()),
        tag::STRUCTURE => Data::Structure(item.elements().map(read_back).collect()),
        tag::BOOLEAN => Data::Bool(content[0] != 0),
        tag::BIT_STRING => Data::Bits(content.to_vec()),
        tag::I8 => Data::I8(i8::try_from(number()).unwrap()),
        tag::I16 => Data::I16(i16::try_from(number()).unwrap()),
        tag::I32 => Data::I32(i32::try_from(number()).unwrap()),
        tag::I64 => Data::I64(number()),
        tag::U8 => Data::U8(u8::try_from(number()).unwrap()),
        tag::U16 => Data::U16(u16::try_from(number()).unwrap()),
        tag::U32 => Data::U32(u32::try_from(number()).unwrap()),
        tag::U64 => Data::U64(u64::from_be_bytes(content.try_into().unwrap())),
        tag::ENUM => Data::Enum(content[0]),
        tag::OCTETS => Data::Octets(content.to_vec()),
        tag::TEXT => Data::Text(item.text().unwrap().to_owned()),
        tag::DATE_TIME => Data::DateTime(content.try_into().unwrap()),
        other => panic!("{other:02x}"),
    }
}

fn any_data() -> impl Strategy<Value = Data> {
    let leaf = prop_oneof![
        Just(Data::Null),
        any::<bool>().prop_map(Data::Bool),
        proptest::collection::vec(any::<u8>(), 0..4).prop_map(Data::Bits),
        any::<i8>().prop_map(Data::I8),
        any::<i16>().prop_map(Data::I16),
        any::<i32>().prop_map(Data::I32),
        any::<i64>().prop_map(Data::I64),
        any::<u8>().prop_map(Data::U8),
        any::<u16>().prop_map(Data::U16),
        any::<u32>().prop_map(Data::U32),
        any::<u64>().prop_map(Data::U64),
        any::<u8>().prop_map(Data::Enum),
        proptest::collection::vec(any::<u8>(), 0..200).prop_map(Data::Octets),
        "[ -~]{0,20}".prop_map(Data::Text),
        any::<[u8; 12]>().prop_map(Data::DateTime),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let list = proptest::collection::vec(inner, 0..6);
        prop_oneof![list.clone().prop_map(Data::Array), list.prop_map(Data::Structure)]
    })
}

proptest! {
    #[test]
    fn what_is_sent_reads_back(data in any_data()) {
        let octets = data.to_octets();
        prop_assert_eq!(read_back(tree(&octets).root()), data);
    }

    #[test]
    fn times_read_back(
        year in 1970i32..2999, month in 1u8..=12, day in 1u8..=28, hour in 0u8..24, minute in 0u8..60, second in 0u8..60,
        minutes in proptest::option::of(-840i16..=840), summer: bool, doubtful: bool,
    ) {
        let civil = CivilTime::new(year, month, day, hour, minute, second).unwrap();
        let other = if summer { Offset::Summer } else { Offset::Unknown };
        let time = MeterTime { civil, offset: minutes.map_or(other, Offset::Minutes), doubtful };
        prop_assert_eq!(date_time(&date_time_octets(&time)), Some(time));
    }
}
