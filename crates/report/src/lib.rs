//! What readings of clusters come to, as it is told outside a window: the shapes that are written as JSON, the words that
//! people read, and one page on one cluster or many.
//!
//! A page is gathered cluster by cluster ([`gather`]) into what is shown ([`view`]), and written by [`html`]; what of the audit is handed on is written and checked by
//! [`handed`]. **Invariants**:
//! it reads no file and asks nobody; what could not be read is never told as fine (promise P21); what comes from a cluster
//! reaches a page or a terminal with its hidden characters visible (promise P24).

#![deny(missing_docs)]

pub mod access;
pub mod exceptions;
pub mod finding;
pub mod fix;
pub mod gather;
pub mod glance;
pub mod handed;
pub mod html;
pub mod lately;
pub mod objects;
pub mod proposed;
pub mod role;
pub mod verdict;
pub mod view;
pub mod words;
