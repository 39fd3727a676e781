//! sallyport-audit
