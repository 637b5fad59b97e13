package embedded

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Files of the directory, beside the server's jetstream/.
const (
	lockFile    = "lock"
	secretFile  = "secret"
	addressFile = "address"
)

var secretForm = regexp.MustCompile(`^[A-Z2-7]{26,}$`)

// ownSecret returns the secret that clients of this directory's server show. It
// is made once, so that a client may outlast the server.
func ownSecret(dir string) (string, error) {
	secret, err := readSecret(dir)
	if err == nil || !errors.Is(err, os.ErrNotExist) && !errors.Is(err, errNoSecret) {
		return secret, err
	}
	secret = rand.Text()
	if err := writeFile(filepath.Join(dir, secretFile), secret); err != nil {
		return "", fmt.Errorf("writing the queue's secret: %w", err)
	}
	return secret, nil
}

// errNoSecret: the file was cut short, by a crash or a full disk.
var errNoSecret = errors.New("the queue's secret is damaged")

func readSecret(dir string) (string, error) {
	name := filepath.Join(dir, secretFile)
	raw, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("reading the queue's secret: %w", err)
	}
	secret := strings.TrimSpace(string(raw))
	if !secretForm.MatchString(secret) {
		return "", fmt.Errorf("%s: %w", name, errNoSecret)
	}
	return secret, nil
}

func writeAddress(dir, address string) error {
	if err := writeFile(filepath.Join(dir, addressFile), address); err != nil {
		return fmt.Errorf("writing the queue's address: %w", err)
	}
	return nil
}

// readAddress returns nothing where no server listens.
func readAddress(dir string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(dir, addressFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("reading the queue's address: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

func removeAddress(dir string) error {
	err := os.Remove(filepath.Join(dir, addressFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing the queue's address: %w", err)
	}
	return nil
}

// writeFile replaces a file at once, readable for its owner alone.
func writeFile(name, content string) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = tmp.WriteString(content + "\n")
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
