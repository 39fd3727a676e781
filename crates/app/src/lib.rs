//! sallyport-app
