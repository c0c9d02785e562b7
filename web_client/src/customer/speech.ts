/** Reads a sentence aloud where the browser can; the call's own sound goes on. */
export const canSpeak = (): boolean => 'speechSynthesis' in globalThis

export function speak(text: string, language: string): void {
  if (!canSpeak()) return
  speechSynthesis.cancel()
  const words = new SpeechSynthesisUtterance(text)
  words.lang = language
  words.rate = 0.9
  speechSynthesis.speak(words)
}

export function beQuiet(): void {
  if (canSpeak()) speechSynthesis.cancel()
}
