package pinecone

// NewStore is a store of a service elsewhere.
var NewStore = newStore
