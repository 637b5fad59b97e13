package config

// S3Vector is for the vector store s3vector. The names are the application's; credentials
// are AWS's own matter.
type S3Vector struct {
	Bucket string `name:"s3-vector-bucket-name" env:"S3_VECTOR_BUCKET_NAME" help:"Bucket of the vector store s3vector."`
	Region string `name:"s3-vector-region" env:"S3_VECTOR_REGION" help:"Region of that bucket."`
}

func (s S3Vector) checkS3Vector(ps *problems) {
	if s.Bucket == "" {
		ps.addProblem("S3_VECTOR_BUCKET_NAME", "is not set: wanted the bucket of Open WebUI's vectors")
	}
	if s.Region == "" {
		ps.addProblem("S3_VECTOR_REGION", "is not set: wanted the region of that bucket")
	}
}
