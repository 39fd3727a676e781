//! sallyport-terminal
