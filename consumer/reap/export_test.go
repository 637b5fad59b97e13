package reap

// AskEachTime has the reaper ask before each object.
func (x *Reaper) AskEachTime() { x.answerAge = -1 }

// MaxAnswerAge is how old an answer about ids may be.
const MaxAnswerAge = maxAnswerAge

var IsWrittenSince = isWrittenSince
