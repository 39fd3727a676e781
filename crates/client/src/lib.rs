//! sallyport-client
