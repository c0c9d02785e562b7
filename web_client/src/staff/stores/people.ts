import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { GroupConfigView, NewStaffView, OneTimePasswordView, RoutingView, StaffChangeRequest, StaffCreateRequest, StaffRow } from '../../gen/protocol'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'

/** Roles by post: one person holds roles of one post only. The server decides; this is for drawing. */
export const POSTS = [['teller', 'expert'], ['supervisor'], ['inspector', 'qa_lead'], ['auditor'], ['admin']] as const
export type RoleName = StaffRow['roles'][number]

export interface Draft extends Omit<StaffChangeRequest, 'revision'> {
  username: string
}

const EMPTY: Draft = {
  username: '', display_name: '', staff_number: '', roles: ['teller'], skill_groups: [], team: null,
  active: true, may_take_calls: false, post_since: null, forced_leave_at: null,
}

/** Everybody who works here, for the administrator. */
export const usePeople = defineStore('people', () => {
  const rows = ref<StaffRow[] | null>(null)
  const groups = ref<GroupConfigView[]>([])
  /** Who is on the screen; `null` with a draft is a newcomer. */
  const current = ref<StaffRow | null>(null)
  const draft = ref<Draft | null>(null)
  /** A password to hand over; gone with the next click. */
  const secret = ref<{ name: string; password: string; expires_at: string } | null>(null)
  const done = ref<string | null>(null)
  const busy = ref<string | null>(null)
  const failure = ref<Failure | null>(null)
  const teams = computed(() => [...new Set((rows.value ?? []).flatMap((row) => row.team ?? []))].sort())

  async function attempt(name: string, action: () => Promise<void>): Promise<boolean> {
    busy.value = name
    failure.value = null
    done.value = null
    secret.value = null
    try {
      await action()
      done.value = name
      return true
    } catch (error) {
      failure.value = failureOf(error)
      return false
    } finally {
      busy.value = null
    }
  }

  const http = () => useServer().http

  const load = (): Promise<boolean> =>
    attempt('load', async () => {
      rows.value = await http().get<StaffRow[]>('/api/staff')
      groups.value = (await http().get<RoutingView>('/api/routing')).groups
      const again = rows.value.find((row) => row.id === current.value?.id)
      if (again) open(again)
    })

  function open(row: StaffRow): void {
    current.value = row
    const { username, display_name, staff_number, roles, skill_groups, team, active, may_take_calls, post_since, forced_leave_at } = row
    draft.value = {
      username, display_name, staff_number, roles: [...roles], skill_groups: [...skill_groups], team, active, may_take_calls, post_since, forced_leave_at,
    }
    failure.value = done.value = secret.value = null
  }

  function begin(): void {
    current.value = null
    draft.value = { ...EMPTY, roles: [...EMPTY.roles], skill_groups: [] }
    failure.value = done.value = secret.value = null
  }

  /** A role of another post takes the place of those chosen. */
  function toggleRole(role: RoleName): void {
    if (!draft.value) return
    const post = POSTS.find((each) => (each as readonly string[]).includes(role)) as readonly string[]
    const kept = draft.value.roles.filter((each) => post.includes(each))
    draft.value.roles = kept.includes(role) ? kept.filter((each) => each !== role) : [...kept, role]
  }

  function toggleGroup(code: string): void {
    if (!draft.value) return
    const { skill_groups } = draft.value
    draft.value.skill_groups = skill_groups.includes(code) ? skill_groups.filter((each) => each !== code) : [...skill_groups, code]
  }

  function put(row: StaffRow): void {
    const others = (rows.value ?? []).filter((each) => each.id !== row.id)
    rows.value = [...others, row].sort((one, other) => one.staff_number.localeCompare(other.staff_number))
    open(row)
  }

  async function save(): Promise<void> {
    const { username, ...fields } = draft.value!
    if (current.value) {
      const { id, revision } = current.value
      const body: StaffChangeRequest = { ...fields, team: fields.team?.trim() || null, revision }
      let row: StaffRow | null = null
      if (await attempt('save', async () => void (row = await http().put<StaffRow>(`/api/staff/${id}`, body)))) {
        put(row!)
        done.value = 'save'
      }
      return
    }
    const { display_name, staff_number, roles, skill_groups, team } = fields
    const body: StaffCreateRequest = { username, display_name, staff_number, roles, skill_groups, team: team?.trim() || null }
    let made: NewStaffView | null = null
    if (await attempt('create', async () => void (made = await http().post<NewStaffView>('/api/staff', body)))) {
      const { staff, one_time_password, expires_at } = made!
      put(staff)
      secret.value = { name: staff.display_name, password: one_time_password, expires_at }
    }
  }

  async function resetPassword(): Promise<void> {
    const { id, display_name } = current.value!
    let issued: OneTimePasswordView | null = null
    const reset = async (): Promise<void> => {
      issued = await http().post<OneTimePasswordView>(`/api/staff/${id}/reset-password`)
    }
    if (!(await attempt('reset-password', reset))) return
    const { one_time_password, expires_at } = issued!
    await load()
    secret.value = { name: display_name, password: one_time_password, expires_at }
  }

  async function act(what: 'unlock' | 'sign-out' | 'reset-totp'): Promise<void> {
    const { id } = current.value!
    if (await attempt(what, async () => void (await http().post(`/api/staff/${id}/${what}`)))) {
      await load()
      done.value = what
    }
  }

  return {
    rows, groups, current, draft, secret, done, busy, failure, teams,
    load, open, begin, toggleRole, toggleGroup, save, resetPassword, act,
  }
})
