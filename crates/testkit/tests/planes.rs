//! Control planes, pods and what is left of them.
