import { ref, watchEffect } from 'vue'

const KEY = 'aircounter.comfort'

/** Elderly mode: 18 pt text and 60 px touch areas, remembered on this device. */
const large = ref(localStorage.getItem(KEY) === 'large')

watchEffect(() => {
  document.documentElement.dataset.comfort = large.value ? 'large' : 'normal'
  localStorage.setItem(KEY, large.value ? 'large' : 'normal')
})

export function useComfort() {
  return { large, toggle: () => (large.value = !large.value) }
}
