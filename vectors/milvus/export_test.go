package milvus

// ToldBySingle is the collection of the application's that one of the server's holds, in the
// mode without tenants.
var ToldBySingle = single{}.logical
