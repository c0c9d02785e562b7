import { HttpClient } from '@shared/http'
import { ref } from 'vue'
import type { OwnNotice, OwnVoucher } from '../../gen/protocol'
import { fetchPdf } from './documents'

const AGAIN_MS = 1500

/** Vouchers and messages of the visit; asked for again until every voucher is made. */
export function usePapers(token: () => string) {
  const vouchers = ref<OwnVoucher[]>([])
  const notices = ref<OwnNotice[]>([])
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
    const file = new Blob([await fetchPdf(url, token())], { type: 'application/pdf' })
    const address = URL.createObjectURL(file)
    window.open(address, '_blank', 'noopener')
    setTimeout(() => URL.revokeObjectURL(address), 60_000)
  }

  return { vouchers, notices, open, start: () => void load(), stop: () => clearTimeout(timer) }
}
