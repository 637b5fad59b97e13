// Package openwebui installs, starts and drives a real Open WebUI, so that a test can let the
// application itself make and forget files, and then ask the application whether the files that it
// still uses survived a cleaner.
//
// Its one idea: nothing is simulated but the language model. Files, chats, knowledge bases, notes,
// folders, channels and users are made through the application's own HTTP API, as its front end does; a stub
// that speaks OpenAI's API answers for embeddings, chat, speech and transcription.
//
// It must not know who cleans, nor where the database comes from: it takes a URL. It works without
// testing.TB, for a demonstration as well as for a test. Install needs Python 3.11 or 3.12 and
// takes about 1.2 GB in the cache folder, once.
package openwebui
