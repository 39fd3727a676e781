//! The Merkle tree over all entries from the first, as RFC 6962 (and 9162) hashes it: leaf `i` is entry `i + 1`. Only its
//! right edge is kept, a hash for each complete subtree, so that it grows without reading what is in it.

use crate::Entry;
use sallyport_model::Digest;
use sha2::{Digest as _, Sha256};

/// Most levels: more entries than fit in one are never written.
const LEVELS: u32 = 62;

/// The hash of an entry as a leaf. Its place in the tree says its sequence.
pub fn leaf(entry: &Entry) -> Digest {
    hash(&[&[0], &entry.encode()])
}

/// The hash of a node.
pub(crate) fn node(left: &Digest, right: &Digest) -> Digest {
    hash(&[&[1], left.bytes(), right.bytes()])
}

fn hash(parts: &[&[u8]]) -> Digest {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update(part);
    }
    Digest::from(<[u8; 32]>::from(sha.finalize()))
}

/// Why something is no part of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// A subtree can't begin there, or not with so many leaves.
    #[error("no part of the tree begins there with so many entries")]
    Place,
    /// The hashes are not as many as a tree of that size has at its edge.
    #[error("the edge does not have as many hashes as a tree of that size")]
    Edge,
}

/// The right edge of a tree: the roots of its complete subtrees, from the largest, on the left, to the smallest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    hashes: Vec<Digest>,
}

impl Edge {
    /// As it was kept: `hashes` from the largest subtree on.
    ///
    /// # Errors
    /// [`TreeError::Edge`] when there are not as many as a tree of `size` leaves has.
    pub fn resume(size: u64, hashes: Vec<Digest>) -> Result<Self, TreeError> {
        let fits = hashes.len() == size.count_ones() as usize && size < 1 << LEVELS;
        if fits { Ok(Self { size, hashes }) } else { Err(TreeError::Edge) }
    }

    /// How many leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What has to be kept to go on.
    pub fn hashes(&self) -> &[Digest] {
        &self.hashes
    }

    /// One more leaf.
    pub fn push(&mut self, leaf: Digest) {
        self.add(leaf, 0);
    }

    /// A whole subtree of `1 << level` leaves of which nothing but its root is known.
    ///
    /// # Errors
    /// [`TreeError::Place`] where none of that size begins.
    pub fn push_subtree(&mut self, level: u32, root: Digest) -> Result<(), TreeError> {
        if level >= LEVELS || self.size.trailing_zeros() < level || self.size >= (1 << LEVELS) - (1 << level)
        {
            return Err(TreeError::Place);
        }
        self.add(root, level);
        Ok(())
    }

    fn add(&mut self, hash: Digest, level: u32) {
        let mut hash = hash;
        // A subtree is complete as often as the size ends in ones above it.
        for _ in 0..(self.size >> level).trailing_ones() {
            if let Some(left) = self.hashes.pop() {
                hash = node(&left, &hash);
            }
        }
        self.hashes.push(hash);
        self.size += 1 << level;
    }

    /// The root; of an empty tree the hash of nothing.
    pub fn root(&self) -> Digest {
        let mut from_right = self.hashes.iter().rev();
        match from_right.next() {
            None => hash(&[]),
            Some(last) => from_right.fold(*last, |right, left| node(left, &right)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6962 §2.1, word for word.
    fn by_the_book(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => hash(&[]),
            [one] => *one,
            many => {
                let split = (many.len() - 1).ilog2();
                let (left, right) = many.split_at(1 << split);
                node(&by_the_book(left), &by_the_book(right))
            }
        }
    }

    fn leaves(count: u64) -> Vec<Digest> {
        (0..count).map(|n| hash(&[&[0], &n.to_be_bytes()])).collect()
    }

    #[test]
    fn the_root_is_the_rfcs_at_every_size() {
        let mut edge = Edge::default();
        assert_eq!(
            edge.root().to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        let leaves = leaves(300);
        for (n, leaf) in leaves.iter().enumerate() {
            edge.push(*leaf);
            assert_eq!(edge.root(), by_the_book(&leaves[..=n]), "{n}");
            assert_eq!(Edge::resume(edge.size(), edge.hashes().to_vec()).unwrap(), edge);
        }
    }

    #[test]
    fn certificate_transparencys_own_vector_holds() {
        // The eight leaves that Google's and everybody's tests of RFC 6962 share, and their root.
        let inputs: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let mut edge = Edge::default();
        inputs.iter().for_each(|input| edge.push(hash(&[&[0], input])));
        assert_eq!(
            edge.root().to_string(),
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
        );
    }

    #[test]
    fn subtrees_stand_for_their_leaves() {
        let leaves = leaves(64);
        let mut whole = Edge::default();
        leaves.iter().for_each(|leaf| whole.push(*leaf));
        let mut parts = Edge::default();
        leaves[..3].iter().for_each(|leaf| parts.push(*leaf));
        assert_eq!(parts.push_subtree(1, leaves[0]), Err(TreeError::Place));
        parts.push(leaves[3]);
        for (from, level) in [(4usize, 2u32), (8, 3), (16, 4), (32, 5)] {
            parts.push_subtree(level, by_the_book(&leaves[from..from + (1 << level)])).unwrap();
        }
        assert_eq!(parts, whole);
        assert_eq!(parts.push_subtree(63, leaves[0]), Err(TreeError::Place));
        assert_eq!(Edge::resume(3, leaves[..1].to_vec()), Err(TreeError::Edge));
        assert_eq!(Edge::resume(u64::MAX, leaves[..64].to_vec()), Err(TreeError::Edge));
    }
}
