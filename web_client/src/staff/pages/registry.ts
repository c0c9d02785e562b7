import type { RouteRecordRaw } from 'vue-router'
import type { Role } from '@shared/protocol'

/**
 * A part of the staff pages. One file of this folder is one area; it is found by its being here.
 *
 * Its name in the navigation is the text `app.nav.<page>`; its paths begin with `/<page>`.
 */
export interface StaffArea {
  page: string
  /** Order in the navigation; the first page somebody may open is where signing in leads. */
  position: number
  roles: readonly Role[]
  routes: readonly RouteRecordRaw[]
}

const found = import.meta.glob<{ default: StaffArea }>(['./*.ts', '!./registry.ts'], { eager: true })

export const AREAS: readonly StaffArea[] = Object.values(found)
  .map((file) => file.default)
  .sort((one, other) => one.position - other.position)

/** The routes of all areas, each open only to the roles of its area. */
export const AREA_ROUTES: readonly RouteRecordRaw[] = AREAS.flatMap((area) =>
  area.routes.map((route) => ({ ...route, meta: { ...route.meta, page: area.page } })),
)
