//! sallyport-broker
