package reject

// What the tests of package reject_test need of the inside.
var (
	Encode = encode
	Decode = decode
	Token  = token
)
