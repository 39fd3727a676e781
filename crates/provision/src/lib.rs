//! sallyport-provision
