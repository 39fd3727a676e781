//! sallyport-hub
