import { errorCode } from '@shared/errors'
import { HttpClient } from '@shared/http'
import { ref } from 'vue'
import type { OwnNotice, OwnVoucher } from '../../gen/protocol'
import { fetchPdf } from './documents'

const AGAIN_MS = 1500

/** Vouchers and messages of the visit; asked for again until every voucher is made. */
export function usePapers(token: () => string) {
  const vouchers = ref<OwnVoucher[]>([])
  const notices = ref<OwnNotice[]>([])
  /** Why a voucher could not be opened. */
  const error = ref<string | null>(null)
  const http = new HttpClient({ headers: () => ({ Authorization: `Bearer ${token()}` }) })
  let timer: ReturnType<typeof setTimeout> | undefined

  async function load(): Promise<void> {
    try {
      ;[vouchers.value, notices.value] = await Promise.all([http.get<OwnVoucher[]>('/api/visit/vouchers'), http.get<OwnNotice[]>('/api/visit/notices')])
    } catch {
      // What is shown stays; the next round brings the rest.
    }
    if (vouchers.value.some((voucher) => voucher.url === null)) timer = setTimeout(() => void load(), AGAIN_MS)
  }

  async function open(url: string): Promise<void> {
    error.value = null
    const page = window.open('', '_blank') // with the tap itself: a page opened after waiting is taken for an advertisement
    try {
      const address = URL.createObjectURL(new Blob([await fetchPdf(url, token())], { type: 'application/pdf' }))
      if (page) page.location.href = address
      else Object.assign(document.createElement('a'), { href: address, download: 'voucher.pdf' }).click() // never this page: the call is on it
      setTimeout(() => URL.revokeObjectURL(address), 60_000)
    } catch (failure) {
      page?.close()
      error.value = errorCode(failure)
    }
  }

  return { vouchers, notices, error, open, start: () => void load(), stop: () => clearTimeout(timer) }
}
