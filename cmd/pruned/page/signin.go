package page

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// anonymous is who signed in without a name.
const anonymous = "operator"

// signInForm is what the form to sign in shows.
type signInForm struct{ Next, Problem string }

func (p *Page) showSignIn(w http.ResponseWriter, r *http.Request) {
	p.render(w, r, http.StatusOK, "signin", frame{Title: "Sign in", Body: signInForm{Next: localPath(r.URL.Query().Get("next"))}})
}

// signIn starts a session. Whoever may not is told so, and not why.
func (p *Page) signIn(w http.ResponseWriter, r *http.Request) {
	status, problem := http.StatusForbidden, "That is not the token of PRUNED_ADMIN_TOKEN."
	switch {
	case !p.sessions.mayTry(r):
		status, problem = http.StatusTooManyRequests, "Too many tries: wait a few seconds."
	case p.sessions.isToken(strings.TrimSpace(r.PostFormValue("token"))):
		user := cleanUser(r.PostFormValue("user"))
		if user == "" {
			user = anonymous
		}
		setCookie(w, r, sessionCookie, p.sessions.sign(user, time.Now().Add(sessionLength)), sessionLength)
		p.Log.Info().Str("from", r.RemoteAddr).Msg("somebody signed in to the page")
		http.Redirect(w, r, localPath(r.PostFormValue("next")), http.StatusSeeOther)
		return
	}
	p.Log.Warn().Str("from", r.RemoteAddr).Int("status", status).Msg("a try to sign in to the page was refused")
	p.render(w, r, status, "signin", frame{Title: "Sign in", Body: signInForm{Next: localPath(r.PostFormValue("next")), Problem: problem}})
}

func (p *Page) signOut(w http.ResponseWriter, r *http.Request) {
	setCookie(w, r, sessionCookie, "", -1)
	http.Redirect(w, r, "/signin", http.StatusSeeOther)
}

// setCookie sets a cookie that no script sees and no other site makes the browser send; one
// that came by TLS goes by nothing else.
func setCookie(w http.ResponseWriter, r *http.Request, name, value string, length time.Duration) {
	age := int(length.Seconds())
	if length < 0 {
		age = -1
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure wherever TLS is: else a browser would not send it back
		Name: name, Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
	})
}

// localPath is a path of ours, whatever somebody wrote into a link.
func localPath(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.Contains(path, `\`) {
		return "/"
	}
	return path
}

type userKey struct{}

// signedIn lets nobody else through.
func (p *Page) signedIn(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, is := p.sessions.userOf(r)
		switch {
		case is:
			next(w, r.WithContext(context.WithValue(r.Context(), userKey{}, user)))
		case r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html"):
			http.Redirect(w, r, "/signin?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		default:
			http.Error(w, "sign in first", http.StatusUnauthorized)
		}
	})
}

// userOf is who is signed in.
func userOf(r *http.Request) string {
	user, _ := r.Context().Value(userKey{}).(string)
	return user
}
