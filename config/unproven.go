package config

import "slices"

// standIns are the vector stores of which no server was to be had, with what they were
// tested on in its place: they are opened where PRUNED_UNPROVEN names them, or nothing is
// removed.
var standIns = map[string]string{
	"elasticsearch": "OpenSearch 2.19.6",
	"opengauss":     "PostgreSQL",
	"pinecone":      "a server of our own by its published API",
	"qdrant":        "Qdrant's own engine behind a server of ours",
	"s3vector":      "moto 5.2.5",
	"valkey":        "Valkey 8.1.8 with RediSearch",
}

func (c *Config) checkProved(ps *problems) {
	for _, name := range c.Vectors.Unproven {
		checkOneOf(ps, "PRUNED_UNPROVEN", name, VectorStores...)
	}
	standIn, unproven := standIns[c.Vectors.DB]
	if unproven && !c.Consumer.DryRun && !slices.Contains(c.Vectors.Unproven, c.Vectors.DB) {
		ps.addProblem("VECTOR_DB", "%q was tested on a stand-in alone, %s: wanted PRUNED_UNPROVEN=%[1]s where that is enough for you, or --dry-run", c.Vectors.DB, standIn)
	}
}
