// Package measure says how far models' answers are from the truth: whole, by
// column, by member, by face; on rows that the weights have not learned from, held
// out or out of fold; and what a model's file tells of its training.
//
// It must not know how models are trained, what is drawn of its figures, or any
// competition.
package measure
