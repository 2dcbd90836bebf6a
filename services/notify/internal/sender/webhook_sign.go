package sender

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Headers and secrets of Standard Webhooks.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"

	secretPrefix = "whsec_"
	leastKey     = 24
	mostKey      = 64
)

// sign sets the headers of Standard Webhooks: a signature by each secret, so that whoever verifies may know any of them.
// The id is the same on every try; the time is that of this try, since old ones are refused.
func (w *webhookSender) sign(header http.Header, id string, now time.Time, body []byte) error {
	timestamp := strconv.FormatInt(now.Unix(), 10)
	signatures := make([]string, 0, len(w.settings.Secrets))

	for _, reference := range w.settings.Secrets {
		secret, err := w.deps.Secrets.Resolve(reference)
		if err != nil {
			return err
		}

		key, err := signingKey(secret)
		if err != nil {
			return permanent("the secret %s %v", reference, err)
		}

		signatures = append(signatures, signature(key, id, timestamp, body))
	}

	header.Set(headerID, id)
	header.Set(headerTimestamp, timestamp)
	header.Set(headerSignature, strings.Join(signatures, " "))

	return nil
}

func signingKey(secret string) ([]byte, error) {
	text, ok := strings.CutPrefix(secret, secretPrefix)

	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) < leastKey || len(key) > mostKey {
		return nil, fmt.Errorf("is not %s and %d to %d bytes in base64", secretPrefix, leastKey, mostKey)
	}

	return key, nil
}

func signature(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)

	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
