//! What a server answers: the reverse of [`Apdu::parse`](super::Apdu::parse).

use super::{Data, put_length};

/// GET normal: data, or why there are none.
#[must_use]
pub fn get(invoke: u8, result: Result<&Data, u8>) -> Vec<u8> {
    let mut out = vec![0xC4, 1, invoke];
    outcome(&mut out, result);
    out
}

/// GET with a list.
#[must_use]
pub fn list(invoke: u8, results: &[Result<Data, u8>]) -> Vec<u8> {
    let mut out = vec![0xC4, 3, invoke];
    put_length(&mut out, results.len());
    for result in results {
        outcome(&mut out, result.as_ref().map_err(|&refused| refused));
    }
    out
}

fn outcome(out: &mut Vec<u8>, result: Result<&Data, u8>) {
    match result {
        Ok(data) => {
            out.push(0);
            data.encode(out);
        }
        Err(refused) => out.extend([1, refused]),
    }
}

/// A block of a longer answer.
#[must_use]
pub fn block(invoke: u8, last: bool, number: u32, data: Result<&[u8], u8>) -> Vec<u8> {
    let mut out = vec![0xC4, 2, invoke, u8::from(last)];
    out.extend(number.to_be_bytes());
    match data {
        Ok(data) => {
            out.push(0);
            put_length(&mut out, data.len());
            out.extend_from_slice(data);
        }
        Err(refused) => out.extend([1, refused]),
    }
    out
}

/// ACTION: its result, and what it gives back.
#[must_use]
pub fn action(invoke: u8, result: u8, data: Option<&Data>) -> Vec<u8> {
    let mut out = vec![0xC7, 1, invoke, result, u8::from(data.is_some())];
    if let Some(data) = data {
        outcome(&mut out, Ok(data));
    }
    out
}

/// The exception response; `service` as in [`Apdu::Exception`](super::Apdu::Exception).
#[must_use]
pub const fn exception(state: u8, service: u8) -> [u8; 3] {
    [0xD8, state, service]
}

#[cfg(test)]
mod tests {
    use super::super::examples::bytes;
    use super::super::{Apdu, INVOKE};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_answers_of_the_specification() {
        assert_eq!(get(INVOKE, Ok(&Data::U32(12_937))), bytes("C4 01 C1 00 06 00 00 32 89"));
        let scaler_unit = Data::Structure(vec![Data::I8(-1), Data::Enum(30)]);
        assert_eq!(get(INVOKE, Ok(&scaler_unit)), bytes("C4 01 C1 00 02 02 0F FF 16 1E"));
        assert_eq!(get(INVOKE, Err(3)), bytes("C4 01 C1 01 03"));
        assert_eq!(block(INVOKE, true, 19, Err(1)), bytes("C4 02 C1 01 00 00 00 13 01 01"));
        assert_eq!(exception(1, 2), [0xD8, 1, 2]);
    }

    proptest! {
        #[test]
        fn what_is_answered_reads_back(invoke: u8, number: i32, index: u32, last: bool, data in proptest::collection::vec(any::<u8>(), 0..300)) {
            let value = Data::I32(number);
            let octets = list(invoke, &[Ok(value.clone()), Err(3)]);
            let (Apdu::Answer(values), end) = Apdu::parse(&octets).unwrap() else { panic!() };
            prop_assert_eq!(end, octets.len());
            prop_assert_eq!(values[0].as_ref().unwrap().root().integer(), Some(i64::from(number)));
            prop_assert_eq!(values[1].as_ref().unwrap_err(), &3);
            let octets = block(invoke, last, index, Ok(&data));
            let (Apdu::Block { last: is_last, number: is_number, data: is_data }, _) = Apdu::parse(&octets).unwrap() else { panic!() };
            prop_assert_eq!((is_last, is_number, is_data), (last, index, Ok(&data[..])));
            let octets = action(invoke, 0, Some(&value));
            let (Apdu::Action { result: 0, value: Some(Ok(tree)) }, _) = Apdu::parse(&octets).unwrap() else { panic!() };
            prop_assert_eq!(tree.root().integer(), Some(i64::from(number)));
        }
    }
}
