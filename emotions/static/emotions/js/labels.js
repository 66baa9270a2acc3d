// The seven emotions, in the order of probabilities and shares, and how all pages name them.

export const LABELS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"];
export const NAMES = {
  angry: "Angry",
  disgust: "Disgust",
  fear: "Fear",
  happy: "Happy",
  sad: "Sad",
  surprise: "Surprise",
  neutral: "Neutral",
};

/** How a face looks, after "looks". */
export const ADJECTIVES = {
  angry: "angry",
  disgust: "disgusted",
  fear: "afraid",
  happy: "happy",
  sad: "sad",
  surprise: "surprised",
  neutral: "neutral",
};

// The space before the sign breaks no line.
export const percent = (share) => `${Math.round(share * 100)}\u00a0%`;
