package config

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// problem is what is wrong with one setting.
type problem struct {
	setting string
	err     error // names the variable that was set
}

func (p problem) Error() string { return p.err.Error() }
func (p problem) Unwrap() error { return p.err }

// problems gathers, so that all is told at once.
type problems []error

func (ps *problems) addProblem(setting, format string, args ...any) {
	*ps = append(*ps, problem{setting, fmt.Errorf("%s: %w", setting, fmt.Errorf(format, args...))})
}

// dropKnown leaves out, of the errors joined in err, the problems of settings
// that have one in ps already: a secret that could not be read is not also
// missing.
func (ps problems) dropKnown(err error) error {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return err
	}
	return errors.Join(slices.DeleteFunc(slices.Clone(joined.Unwrap()), ps.hasSetting)...)
}

func (ps problems) hasSetting(err error) bool {
	var later problem
	return errors.As(err, &later) && slices.ContainsFunc(ps, func(err error) bool {
		var earlier problem
		return errors.As(err, &earlier) && earlier.setting == later.setting
	})
}

// checkRange and checkMin ask whether the value is inside, not whether it is
// outside: NaN is neither.
func checkRange[T cmp.Ordered](ps *problems, setting string, value, low, high T) {
	if inside := value >= low && value <= high; !inside {
		ps.addProblem(setting, "%v is out of range: wanted %s from %v to %v", value, describeType(reflect.TypeFor[T]()), low, high)
	}
}

func checkMin[T cmp.Ordered](ps *problems, setting string, value, low T) {
	if inside := value >= low && any(value) != any(math.Inf(1)); !inside {
		ps.addProblem(setting, "%v is out of range: wanted %s, %v or more", value, describeType(reflect.TypeFor[T]()), low)
	}
}

func checkOneOf(ps *problems, setting, value string, known ...string) {
	if !slices.Contains(known, value) {
		ps.addProblem(setting, "%q is not known: wanted one of %s", value, strings.Join(known, ", "))
	}
}

// describeType describes what a setting of this type looks like.
func describeType(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "a duration such as 90s, 24h or 30d"
	case t == reflect.TypeFor[Size]():
		return "a size such as 512MiB or 1GiB"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Float64:
		return "a number"
	default:
		return "a whole number"
	}
}

// checkLoopback checks host:port that only this machine reaches.
func checkLoopback(ps *problems, setting, value, example string) {
	host, ok := checkAddress(ps, setting, value)
	if ok && host != "localhost" && !net.ParseIP(host).IsLoopback() {
		ps.addProblem(setting, "%q can be reached from other machines: wanted a loopback address, such as %s", value, example)
	}
}

// checkAddress checks host:port, and returns the host.
func checkAddress(ps *problems, setting, value string) (string, bool) {
	host, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		ps.addProblem(setting, "%q is not an address: wanted host:port", value)
	}
	return host, err == nil
}
