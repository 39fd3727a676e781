//! sallyport-gateway
