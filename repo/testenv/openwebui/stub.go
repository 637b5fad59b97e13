package openwebui

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
)

// Model is the only model that the stub offers.
const Model = "stub"

// Sound is all that the stub says.
const Sound = "the sound of a text"

// stub is a server that answers as OpenAI's API does, as far as Open WebUI asks it.
type stub struct {
	*httptest.Server
	before atomic.Pointer[func()] // each answer with embeddings; nil: nothing
}

// newStub starts one. The caller closes it.
func newStub() *stub {
	s, mux := &stub{}, http.NewServeMux()
	mux.HandleFunc("GET /v1/models", listModels)
	mux.HandleFunc("POST /v1/embeddings", s.embeddings)
	mux.HandleFunc("POST /v1/chat/completions", complete)
	mux.HandleFunc("POST /v1/audio/speech", speak)
	mux.HandleFunc("POST /v1/audio/transcriptions", transcribe)
	s.Server = httptest.NewServer(mux)
	return s
}

func listModels(w http.ResponseWriter, _ *http.Request) {
	reply(w, object{"object": "list", "data": []object{{"id": Model, "object": "model", "owned_by": "stub"}}})
}

func (s *stub) embeddings(w http.ResponseWriter, r *http.Request) {
	if before := s.before.Load(); before != nil {
		(*before)()
	}
	var asked struct{ Input texts }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	data := make([]object, len(asked.Input))
	for i, text := range asked.Input {
		data[i] = object{"object": "embedding", "index": i, "embedding": embed(text)}
	}
	reply(w, object{"object": "list", "model": Model, "data": data})
}

// complete answers every chat with the same sentence, at once or as a stream of one piece.
func complete(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Stream bool }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	message := object{"role": "assistant", "content": "As the files say."}
	if !asked.Stream {
		reply(w, completion("chat.completion", "message", message))
		return
	}
	piece, err := json.Marshal(completion("chat.completion.chunk", "delta", message))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprintf(w, "data: %s\n\ndata: [DONE]\n\n", piece)
}

// speak answers with bytes that nobody plays.
func speak(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "audio/mpeg")
	_, _ = w.Write([]byte(Sound)) // the client is gone if this fails
}

func transcribe(w http.ResponseWriter, _ *http.Request) { reply(w, object{"text": "As it was said."}) }

func completion(kind, part string, message object) object {
	choice := object{"index": 0, part: message, "finish_reason": "stop"}
	return object{"id": "stub", "object": kind, "model": Model, "choices": []object{choice}}
}

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	// The client is gone if this fails; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(body)
}

// object is a JSON object.
type object = map[string]any

// texts is OpenAI's "input": one string or a list of them.
type texts []string

func (t *texts) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(t))
}
