package openwebui

// CacheFolders are the folders below DATA_DIR whose files no row names, and which the
// application makes again, or never reads again: speech, by a hash of what was asked for,
// and recordings that were transcribed, under a UUID that only the answer to that request
// holds (routers/audio, routers/openai.py).
//
// cache/image/generations is none of them: nothing writes there any more, and the images
// of older versions are shown by chats that hold their address,
// /cache/image/generations/NAME, and that the reference index, which knows ids of files,
// cannot be asked for.
var CacheFolders = []string{"cache/audio/speech", "cache/audio/transcriptions"}
