//! sallyport-store
