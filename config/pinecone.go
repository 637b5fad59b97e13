package config

import "pruned/config/secret"

// Pinecone is for the vector store pinecone. The names and defaults are the application's.
type Pinecone struct {
	APIKey secret.Text `name:"pinecone-api-key" env:"PINECONE_API_KEY" flagless:"" help:"Key of the vector store pinecone."`
	Index  string      `name:"pinecone-index-name" env:"PINECONE_INDEX_NAME" default:"open-webui-index" help:"Index."`
}

func (p Pinecone) checkPinecone(ps *problems) {
	if p.APIKey == "" {
		ps.addProblem("PINECONE_API_KEY", "is not set: wanted Open WebUI's, or one with the roles ControlPlaneViewer and DataPlaneEditor")
	}
	if p.Index == "" {
		ps.addProblem("PINECONE_INDEX_NAME", "is empty: wanted the name of Open WebUI's index")
	}
}
