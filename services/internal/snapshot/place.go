package snapshot

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7/pkg/s3utils"
)

const (
	placeJetStream  = "jetstream"
	defaultEndpoint = "https://s3.amazonaws.com"
)

// place is where snapshots are kept: a folder if one is given, else a bucket if one is given, else JetStream.
type place struct {
	folder string
	bucket s3Place
}

// s3Place is a bucket that speaks S3.
type s3Place struct {
	bucket, prefix string
	host           string // and port
	secure         bool
	region         string
	pathStyle      bool
}

// Validate checks a place without going there: "" or "jetstream"; a folder, as a path or as file:///path; or
// s3://bucket/prefix?endpoint=https://host:port&region=…&path_style=true. Errors repeat nothing that may be secret.
func Validate(text string) error {
	_, err := parsePlace(text)

	return err
}

func parsePlace(text string) (place, error) {
	scheme, _, isURL := strings.Cut(text, "://")

	switch {
	case text == "" || text == placeJetStream:
		return place{}, nil
	case !isURL:
		return place{folder: text}, nil
	}

	u, err := url.Parse(text)
	if err != nil {
		return place{}, fmt.Errorf("%w: it is no URL", ErrPlace) // the error repeats it
	}

	if u.User != nil {
		return place{}, fmt.Errorf("%w: credentials do not belong into a URL; they are taken from the environment", ErrPlace)
	}

	switch scheme {
	case "file":
		if u.Host != "" || u.RawQuery != "" || u.Fragment != "" || len(u.Path) < len("/x") {
			return place{}, fmt.Errorf("%w: a folder's URL is file:///path, and nothing more", ErrPlace)
		}

		return place{folder: u.Path}, nil
	case "s3":
		b, err := parseBucket(u)

		return place{bucket: b}, err
	default:
		return place{}, fmt.Errorf("%w: a URL begins with file:// or s3://", ErrPlace)
	}
}

func parseBucket(u *url.URL) (s3Place, error) {
	p := s3Place{bucket: u.Host, prefix: strings.Trim(u.Path, "/")}

	if s3utils.CheckValidBucketNameStrict(p.bucket) != nil {
		return s3Place{}, fmt.Errorf("%w: s3:// is followed by no valid name of a bucket", ErrPlace)
	}

	if p.prefix != "" && checkName(p.prefix) != nil {
		return s3Place{}, fmt.Errorf("%w: the prefix has parts that are not letters, digits, '.', '_' and '-'", ErrPlace)
	}

	query, err := url.ParseQuery(u.RawQuery)
	if err != nil || u.Fragment != "" {
		return s3Place{}, fmt.Errorf("%w: what follows the bucket cannot be read", ErrPlace)
	}

	endpoint := defaultEndpoint

	for key, values := range query {
		value := values[0]

		switch key {
		case "endpoint":
			endpoint = value
		case "region":
			p.region, err = value, checkRegion(value)
		case "path_style":
			p.pathStyle, err = strconv.ParseBool(value)
		default:
			err = fmt.Errorf("%w: it has more", ErrPlace)
		}

		if err != nil || len(values) > 1 {
			return s3Place{}, fmt.Errorf("%w: a bucket may be followed by endpoint, region and path_style=true, each once",
				ErrPlace)
		}
	}

	return p, p.setEndpoint(endpoint)
}

func checkRegion(region string) error {
	if strings.Contains(region, "/") {
		return ErrName
	}

	return checkName(region)
}

func (p *s3Place) setEndpoint(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" ||
		u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("%w: an endpoint is https://host:port, or http:// if it must be; nothing more", ErrPlace)
	}

	p.host, p.secure = u.Host, u.Scheme == "https"

	return nil
}
