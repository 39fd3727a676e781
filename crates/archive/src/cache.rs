//! Columns that were read lately.

use crate::block::Part;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// Segment, block, part.
pub(crate) type Key = (u32, i64, u8);

/// Bounded in bytes; what came first goes first.
#[derive(Debug)]
pub(crate) struct Cache {
    most: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    parts: HashMap<Key, (Arc<Part>, usize)>,
    order: VecDeque<Key>,
    bytes: usize,
}

impl Cache {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, held: Mutex::default() }
    }

    pub(crate) fn get(&self, key: Key) -> Option<Arc<Part>> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.parts.get(&key).map(|(part, _)| part.clone())
    }

    pub(crate) fn put(&self, key: Key, part: Arc<Part>, size: usize) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.parts.insert(key, (part, size)).is_some() {
            return;
        }
        held.order.push_back(key);
        held.bytes += size;
        while held.bytes > self.most {
            let Some(oldest) = held.order.pop_front() else { break };
            if let Some((_, size)) = held.parts.remove(&oldest) {
                held.bytes = held.bytes.saturating_sub(size);
            }
        }
    }
}
