//! sallyport-vault
