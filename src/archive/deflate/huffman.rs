//! Codes for symbols by their frequency (RFC 1951, section 3.2.2).

/// The length of each symbol's code; 0 for one that does not come. None is longer than `longest`.
///
/// At least two symbols have to come: decoders want a complete code.
pub(super) fn lengths(counts: &[u32], longest: u8) -> Vec<u8> {
    let mut counts = counts.to_vec();
    loop {
        let lengths = depths(&counts);
        if lengths.iter().all(|length| *length <= longest) {
            return lengths;
        }
        // Flatter frequencies give shorter codes; at the latest all equal ones fit.
        counts.iter_mut().filter(|count| **count > 0).for_each(|count| *count = *count / 2 + 1);
    }
}

/// How deep each symbol lies in Huffman's tree.
fn depths(counts: &[u32]) -> Vec<u8> {
    let mut leaves: Vec<(u64, usize)> =
        counts.iter().enumerate().map(|(symbol, count)| (u64::from(*count), symbol)).collect();
    leaves.retain(|(count, _)| *count > 0);
    leaves.sort_unstable();
    let nodes = (2 * leaves.len()).saturating_sub(1);
    // Leaves by weight, then the nodes over them, which come by weight as well.
    let mut weights: Vec<u64> = leaves.iter().map(|(count, _)| *count).collect();
    let mut parents = vec![0; nodes];
    let (mut leaf, mut node) = (0, leaves.len());
    for next in leaves.len()..nodes {
        let mut weight = 0;
        for _ in 0..2 {
            let is_leaf = leaf < leaves.len() && (node >= next || weights[leaf] <= weights[node]);
            let lightest = if is_leaf { &mut leaf } else { &mut node };
            weight += weights[*lightest];
            parents[*lightest] = next;
            *lightest += 1;
        }
        weights.push(weight);
    }
    let mut depths = vec![0_u8; nodes];
    for node in (0..nodes.saturating_sub(1)).rev() {
        depths[node] = depths[parents[node]].saturating_add(1);
    }
    let mut lengths = vec![0; counts.len()];
    leaves.iter().zip(depths).for_each(|((_, symbol), depth)| lengths[*symbol] = depth);
    lengths
}

/// A code, its first bit lowest, and how long it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) bits: u16,
    pub(super) length: u8,
}

/// The codes that lengths stand for: by length, then by symbol.
pub(super) fn codes(lengths: &[u8]) -> Vec<Code> {
    let mut codes = vec![Code::default(); lengths.len()];
    let mut next = 0_u16;
    for length in 1..=15_u8 {
        for (code, _) in codes.iter_mut().zip(lengths).filter(|(_, own)| **own == length) {
            *code = Code { bits: next.reverse_bits() >> (16 - length), length };
            next = next.wrapping_add(1);
        }
        next <<= 1;
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn codes_are_those_of_the_standards_example() {
        let codes = codes(&[3, 3, 3, 3, 3, 2, 4, 4]);
        let written: Vec<String> = codes
            .iter()
            .map(|code| (0..code.length).map(|bit| if code.bits >> bit & 1 == 1 { '1' } else { '0' }).collect())
            .collect();
        assert_eq!(written, ["010", "011", "100", "101", "110", "00", "1110", "1111"]);
    }

    proptest! {
        #[test]
        fn codes_are_complete_and_short_enough(
            counts in proptest::collection::vec(prop_oneof![Just(0u32), 1u32..4, 1u32..u32::MAX], 2..286),
            longest in 9u8..16,
        ) {
            let mut counts = counts;
            counts[0] = counts[0].max(1);
            counts[1] = counts[1].max(1);
            let lengths = lengths(&counts, longest);
            let filled: u32 = lengths.iter().filter(|length| **length > 0).map(|length| 1 << (15 - length)).sum();
            prop_assert_eq!(filled, 1 << 15);
            for (length, count) in lengths.iter().zip(&counts) {
                prop_assert!((*length > 0) == (*count > 0) && *length <= longest);
            }
        }
    }
}
