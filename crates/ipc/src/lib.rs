//! sallyport-ipc
