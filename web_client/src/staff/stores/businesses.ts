import { defineStore } from 'pinia'
import { ref } from 'vue'
import { useServer } from '../lib/server'

export interface BusinessName {
  code: string
  name_zh: string
  name_en: string
}

/** Names of businesses for all pages; they work with codes alone when the names cannot be had. */
export const useBusinesses = defineStore('businesses', () => {
  const all = ref<BusinessName[]>([])

  async function load(): Promise<void> {
    if (all.value.length > 0) return
    all.value = await useServer()
      .http.get<BusinessName[]>('/api/businesses')
      .catch(() => [])
  }

  function name(code: string, locale: string): string {
    const found = all.value.find((each) => each.code === code)
    return found ? (locale === 'en' ? found.name_en : found.name_zh) : code
  }

  return { all, load, name }
})
