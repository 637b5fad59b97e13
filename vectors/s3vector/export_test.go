package s3vector

// NewStore is a store of a server that AWS's settings do not name.
var NewStore = newStore
