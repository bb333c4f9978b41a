//! One GET, in as many blocks as the server likes (Green Book 9.3.5).

use super::Query;
use crate::wire::MAX_TELEGRAM;
use crate::wire::dlms::{Apdu, INVOKE, Refusal, Request, Tree};

/// A GET under way.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) query: Query,
    /// Octets of the blocks so far.
    blocks: Vec<u8>,
    /// The number of the last block.
    number: u32,
    /// Blocks that came once more, at most.
    repeats_left: u8,
}

/// What an answer comes to.
#[derive(Debug)]
pub(super) enum Progress {
    /// The value, or why there is none.
    Done(Result<Box<[u8]>, Refusal>),
    /// This has to be asked next.
    Ask(Vec<u8>),
}

impl Transfer {
    pub(super) fn new(query: Query) -> Self {
        Self { query, blocks: Vec::new(), number: 0, repeats_left: 3 }
    }

    pub(super) fn request(&self) -> Vec<u8> {
        let Query { attribute, selection } = self.query;
        Request::Get { invoke: INVOKE, attribute, selection }.encode()
    }

    /// Takes a plain APDU.
    pub(super) fn take(&mut self, apdu: &[u8]) -> Progress {
        let garbled = |what| Progress::Done(Err(Refusal::Garbled(what)));
        match Apdu::parse(apdu) {
            Ok((Apdu::Answer(mut values), end)) if values.len() == 1 && end == apdu.len() => match values.pop() {
                Some(Ok(tree)) => Progress::Done(Ok(apdu.get(tree.root().at()..).unwrap_or_default().into())),
                Some(Err(result)) => Progress::Done(Err(Refusal::Access { result })),
                None => garbled("no value"),
            },
            Ok((Apdu::Block { data: Err(result), .. }, _)) => Progress::Done(Err(Refusal::Access { result })),
            Ok((Apdu::Block { last, number, data: Ok(data) }, _)) => self.block(last, number, data),
            Ok((Apdu::Exception { state, service }, _)) => Progress::Done(Err(Refusal::Exception { state, service })),
            Ok(_) => garbled("another answer than to a GET"),
            Err(_) => garbled("it is no answer"),
        }
    }

    fn block(&mut self, last: bool, number: u32, data: &[u8]) -> Progress {
        if number == self.number && number > 0 {
            // The block before, once more: the request for the next one was lost.
            let Some(left) = self.repeats_left.checked_sub(1) else {
                return Progress::Done(Err(Refusal::Garbled("a block is repeated over and over")));
            };
            self.repeats_left = left;
        } else if number != self.number.wrapping_add(1) {
            return Progress::Done(Err(Refusal::Garbled("a block is missing")));
        } else if self.blocks.len() + data.len() > MAX_TELEGRAM {
            return Progress::Done(Err(Refusal::TooLong));
        } else if data.is_empty() && !last {
            return Progress::Done(Err(Refusal::Garbled("an empty block")));
        } else {
            self.blocks.extend_from_slice(data);
            self.number = number;
            if last {
                let whole = Tree::parse(&self.blocks, 0).is_ok_and(|(_, end)| end == self.blocks.len());
                let blocks = std::mem::take(&mut self.blocks);
                return Progress::Done(if whole {
                    Ok(blocks.into())
                } else {
                    Err(Refusal::Garbled("the blocks together are no value"))
                });
            }
        }
        Progress::Ask(Request::Next { invoke: INVOKE, block: self.number }.encode())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Obis;
    use crate::wire::dlms::{Attribute, Data, answer};
    use proptest::prelude::*;

    fn transfer() -> Transfer {
        Transfer::new(Query { attribute: Attribute::new(1, Obis::new(0, 0, 96, 1, 0, 255), 2), selection: None })
    }

    fn done(progress: Progress) -> Result<Box<[u8]>, Refusal> {
        match progress {
            Progress::Done(result) => result,
            Progress::Ask(apdu) => panic!("asks {apdu:02x?}"),
        }
    }

    #[test]
    fn a_value_split_anywhere_is_joined_before_it_is_read() {
        let value = Data::Array(vec![Data::U32(12_937), Data::Text("15 min".into())]).to_octets();
        for split in 1..value.len() {
            let mut transfer = transfer();
            let (first, second) = value.split_at(split);
            let Progress::Ask(next) = transfer.take(&answer::block(INVOKE, false, 1, Ok(first))) else { panic!() };
            assert_eq!(next, [0xC0, 2, 0xC1, 0, 0, 0, 1]);
            // The same block once more: asked for the next one again.
            let Progress::Ask(again) = transfer.take(&answer::block(INVOKE, false, 1, Ok(first))) else { panic!() };
            assert_eq!(again, next);
            assert_eq!(done(transfer.take(&answer::block(INVOKE, true, 2, Ok(second)))).unwrap()[..], value);
        }
    }

    #[test]
    fn what_is_refused_or_broken_says_so() {
        let refused = |apdu: &[u8]| done(transfer().take(apdu)).unwrap_err();
        assert_eq!(refused(&answer::get(INVOKE, Err(3))).to_string(), "read or write denied (data-access-result 3)");
        assert_eq!(refused(&answer::block(INVOKE, true, 1, Err(14))), Refusal::Access { result: 14 });
        assert_eq!(refused(&answer::exception(1, 2)), Refusal::Exception { state: 1, service: 2 });
        assert_eq!(refused(&answer::block(INVOKE, false, 2, Ok(&[0]))), Refusal::Garbled("a block is missing"));
        assert_eq!(refused(&answer::block(INVOKE, false, 1, Ok(&[]))), Refusal::Garbled("an empty block"));
        assert!(matches!(refused(&answer::block(INVOKE, true, 1, Ok(&[2, 2, 0x11]))), Refusal::Garbled(_)));
        assert!(matches!(refused(&[0x61, 0]), Refusal::Garbled(_)));
    }

    proptest! {
        #[test]
        fn any_answers_end(answers in proptest::collection::vec((any::<bool>(), 0u32..6, proptest::collection::vec(any::<u8>(), 0..20)), 0..50)) {
            let mut transfer = transfer();
            let mut asked = 0;
            for (last, number, data) in answers {
                match transfer.take(&answer::block(INVOKE, last, number, Ok(&data))) {
                    Progress::Ask(_) => asked += 1,
                    Progress::Done(_) => break,
                }
            }
            prop_assert!(asked <= 6 + 3);
        }
    }
}
