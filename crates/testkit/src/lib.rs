//! sallyport-testkit
