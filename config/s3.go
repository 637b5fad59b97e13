package config

import (
	"slices"
	"strings"

	"pruned/config/secret"
)

// S3 is for STORAGE_PROVIDER=s3. Open WebUI's S3_USE_ACCELERATE_ENDPOINT has no part here: it says
// by which way bytes travel, not where they lie.
type S3 struct {
	Bucket     string      `name:"s3-bucket-name" env:"S3_BUCKET_NAME" help:"Bucket."`
	KeyPrefix  string      `name:"s3-key-prefix" env:"S3_KEY_PREFIX" placeholder:"FOLDER" help:"What the keys of all objects begin with."`
	Endpoint   string      `name:"s3-endpoint-url" env:"S3_ENDPOINT_URL" address:"" placeholder:"URL" help:"Server of the bucket; unset: Amazon's."`
	Region     string      `name:"s3-region-name" env:"S3_REGION_NAME" help:"Region; unset: where the bucket lies."`
	AccessKey  string      `name:"s3-access-key-id" env:"S3_ACCESS_KEY_ID" help:"Access key; unset: as AWS_ACCESS_KEY_ID, AWS's file of credentials or the machine say."`
	SecretKey  secret.Text `name:"s3-secret-access-key" env:"S3_SECRET_ACCESS_KEY" flagless:"" help:"Secret of the access key."`
	Addressing string      `name:"s3-addressing-style" env:"S3_ADDRESSING_STYLE" placeholder:"auto|path|virtual" help:"Where an address names the bucket; unset: as usual for the server."`
}

func (s S3) checkS3(ps *problems) {
	if s.Bucket == "" {
		ps.addProblem("S3_BUCKET_NAME", "is not set: wanted Open WebUI's, as STORAGE_PROVIDER is s3")
	}
	if s.Endpoint != "" {
		checkServerAddress(ps, "S3_ENDPOINT_URL", s.Endpoint, "")
	}
	if slices.ContainsFunc(strings.Split(s.KeyPrefix, "/"), func(part string) bool { return part == "." || part == ".." }) {
		ps.addProblem("S3_KEY_PREFIX", "%q has a part that is only dots, which servers read differently: wanted one without", s.KeyPrefix)
	}
	if s.Addressing != "" {
		checkOneOf(ps, "S3_ADDRESSING_STYLE", s.Addressing, "auto", "path", "virtual")
	}
}
