package reap

// AskEachTime has the reaper ask before each object.
func (x *Reaper) AskEachTime() { x.answerAge = -1 }
