//! sallyport-rbac
