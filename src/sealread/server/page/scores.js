// What a score means in words. The limits of characters are those of the server's pictures (drawing.py, DOUBT_COLOURS).

const LINE_LIMITS = { unsure: 0.9, veryUnsure: 0.5 };
const CHARACTER_LIMITS = { unsure: 0.8, veryUnsure: 0.5 };

const level = (score, limits) => (score < limits.veryUnsure ? "very-unsure" : score < limits.unsure ? "unsure" : "");

// "" says only that nothing speaks against it.
export const doubtOfLine = (line) => (line.text === "" ? "very-unsure" : level(line.score, LINE_LIMITS));
export const doubtOfSeal = (seal) => level(seal.detection_score, LINE_LIMITS);
export const doubtOfCharacter = (character) => level(character.score, CHARACTER_LIMITS);

// Rounded down, and never 100 %: nothing that was read is certain.
export function percent(score) {
  const whole = Math.min(99, Math.floor(score * 100 + 1e-9));
  return whole < 1 ? "<\u00a01\u00a0%" : `${whole}\u00a0%`;
}

export const doubtfulCharacters = (line) => line.chars.filter((character) => doubtOfCharacter(character) !== "");
