//! sallyport-oidc
