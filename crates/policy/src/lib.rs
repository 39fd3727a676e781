//! sallyport-policy
