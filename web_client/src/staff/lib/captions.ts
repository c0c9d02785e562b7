import type { Caption, Party } from './wire'

/** The transcript on the teller's screen: finished sentences in order, and what each side is saying right now. */
export interface LiveTranscript {
  finals: Caption[]
  partials: Partial<Record<Party, Caption>>
}

export function emptyTranscript(): LiveTranscript {
  return { finals: [], partials: {} }
}

/** Take in one caption. A final replaces the same side's unfinished sentence; a late partial changes nothing. */
export function addCaption(transcript: LiveTranscript, caption: Caption): LiveTranscript {
  const partials = { ...transcript.partials }
  if (!caption.final) {
    const spoken = transcript.finals.some((line) => line.party === caption.party && line.end_s >= caption.end_s)
    if (spoken) return transcript
    if (caption.text.trim() === '') delete partials[caption.party]
    else partials[caption.party] = caption
    return { finals: transcript.finals, partials }
  }
  const pending = partials[caption.party]
  if (pending && pending.start_s < caption.end_s) delete partials[caption.party]
  if (caption.text.trim() === '') return { finals: transcript.finals, partials }
  const same = (line: Caption): boolean => line.party === caption.party && line.start_s === caption.start_s
  const finals = transcript.finals.filter((line) => !same(line))
  let at = finals.length
  while (at > 0 && finals[at - 1]!.start_s > caption.start_s) at -= 1
  finals.splice(at, 0, caption)
  return { finals, partials }
}

/** Finished and unfinished lines in the order of speaking. */
export function linesOf(transcript: LiveTranscript): Caption[] {
  const partials = Object.values(transcript.partials)
  return [...transcript.finals, ...partials.sort((a, b) => a.start_s - b.start_s)]
}
